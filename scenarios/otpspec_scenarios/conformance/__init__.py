"""One file for each family of rules. Each scenario proves the rules that it names."""
