"""What is checked under load: the people of a run, and the file that Locust is given."""
