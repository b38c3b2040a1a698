"""The embedded M2M service: the API's wire contract, answering from documents of your own.

    server      options, start and stop
    contract    the operations: one table makes the routes and the OpenAPI description
    routes/     what each operation does
    records     documents, sessions, requests and feedback, in SQLite
    retrieval/  from a question to an answer
    parsing/    from a file to passages, in a bounded subprocess
    faults, recorder, script    what tests and demos switch on

It knows nothing of the rest of the bot and is reached over HTTP alone.
"""
