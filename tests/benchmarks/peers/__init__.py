"""What others can do with the same turn: `make bench-peers`.

Every contestant takes a question from a platform, submits it to the API, polls it, and posts the answer where it was
asked. All get the same load from the same loopback platforms and API (`world.py`); each is installed from the
registries into an environment of its own (`contestants.py`), is a process of its own, and is measured from outside
(`runs.py`).

Our bias, which the report repeats: we wrote the programs of the others, by their documentation and as short as that
shows it; they ask the API every second, as most would; theirs store nothing, ours stores every step.
"""
