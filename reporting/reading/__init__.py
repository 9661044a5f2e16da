"""Reading a workbook that somebody made: from distrusted bytes to what it says, told and never guessed."""
