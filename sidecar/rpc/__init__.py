"""The wire: bytes in, answers and events out.

`framing` cuts bytes into messages, `json_text` reads one, `session` is one peer with its requests
and its outbox, `dispatcher` turns a message into an answer, `methods` holds a function per channel,
`listeners` who hears of what; `stdio` and `websocket` are the transports, `admission` decides who
may come in by the latter. This floor knows neither processes nor SQL.
"""
