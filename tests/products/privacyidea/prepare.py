"""Sets a fresh privacyIDEA up, by its own pi-manage: keys, tables, an administrator.

Run by the product's own Python, with PRIVACYIDEA_CONFIGFILE set. All of it in one process: each
pi-manage alone takes two seconds to begin.
"""

import os

from privacyidea.cli.pimanage import cli

for words in (
    ("setup", "create_enckey"),
    ("setup", "create_audit_keys"),
    ("setup", "create_tables"),
    ("admin", "add", "admin", "-p", os.environ["SITE_ADMIN_PASSWORD"]),
):
    cli.main([*words], standalone_mode=False)
