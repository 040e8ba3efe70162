"""What networks on the shelf teach: functions from records to frozen records, and their figures.

Nothing here opens a shelf, reads a table or trains: `modelshelf.understanding` does, and calls.
"""
