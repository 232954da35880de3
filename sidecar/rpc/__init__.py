"""The wire: bytes in, answers and events out.

`framing` cuts bytes into messages, `session` is one peer with its requests and its outbox,
`dispatcher` turns a message into an answer, `methods` holds a function per channel, `listeners`
who hears of what; `stdio` is the transport. This floor knows neither processes nor SQL.
"""
