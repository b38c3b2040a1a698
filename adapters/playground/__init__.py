"""The playground: a make-believe platform for two people, with a page of its own, for `demo`.

`platform` plays the outside world (it keeps what people wrote and delivers until acknowledged), `site` is its
page; the other files have the names that they have in every channel.
"""
