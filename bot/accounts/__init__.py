"""The accounts of the channels at work: several of one channel as one, each by its own task, with secrets that change.

several.py    several accounts of one channel, as the core sees them
receiving.py  their tasks; an account is replaced by itself with new secrets as it works
rotation.py   what of new settings is taken over without a restart
"""
