"""From a file to passages.

passages    splits Markdown into passages; pure
formats     turns each kind of file into passages; runs in the subprocess
tables      CSV: Q&A pairs, or rows of a list
worker      the subprocess: limits itself, reads files, writes passages
bounded     starts workers, and ends those that overrun
"""
