"""Turns: what is done on a lane, as scripts over stored steps. Every await may be the last one before a crash.

question   [root] ─ submit ─ poll ─ intent ─ send:0 … send:n ─ finish     an edit before `intent` begins at submit anew
                       │       │       │         │
                       └───────┴───────┴─────────┴─ verdict ─ failure ─ finish      no (whole) answer: decided, told
notice     info:0 (refusal, why) ─ finish
close      close ─ finish

worker.py    makes attempts            attempt.py  runs steps, stores the end     steps.py   what a step is
question.py · notice.py · close.py     the scripts
asking.py    submit ─ poll ─ intent    submit.py · poll.py · intent.py · send.py  the steps
delivery.py  all parts of a message    root.py     the words of an /ask           failure.py   no (whole) answer
progress.py  never silent              poll_schedule.py · polling.py  when the API is asked again
"""
