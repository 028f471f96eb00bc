"""Makes the administrator, as soon as the server of this container answers: make-user.py NAME PASSWORD_FILE"""

import sys
import time

import pymongo

name, file = sys.argv[1:]
with open(file, encoding="utf-8") as opened:
    password = opened.read().strip()
client = pymongo.MongoClient("127.0.0.1", directConnection=True, serverSelectionTimeoutMS=1000)
for _ in range(120):
    try:
        client.admin.command("ping")
        break
    except pymongo.errors.PyMongoError:
        time.sleep(0.5)
client.admin.command("createUser", name, pwd=password, roles=["root"])
