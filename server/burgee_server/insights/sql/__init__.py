"""The SQL that insights are written in: the rows they may see, and the pieces they share."""
