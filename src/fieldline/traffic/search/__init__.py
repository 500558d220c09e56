"""Search: what viewers type, found in titles, categories, brands and names, Chinese and English.

`text` makes words of what is typed and written, `postings` and `index` find items by them, `correct` mends
spelling and reads pinyin, `find` answers a request from the state, `terms` counts what was searched for reports.
"""
