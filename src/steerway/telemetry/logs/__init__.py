"""Lines that programs printed or sent: finding them again, counting them, hearing them come.

Search reads the store newest first, in bounded pages. What files say is brought in by
`following`, what programs send by `receiving`.
"""
