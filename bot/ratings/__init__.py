"""What people think of answers, from an emoji to the API.

votes.py       what emoji and clicks mean together: pure          record.py   a gesture is stored, in a transaction
submission.py  a settled rating is submitted, and shown on the buttons
"""
