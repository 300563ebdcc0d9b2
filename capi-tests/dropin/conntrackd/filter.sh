part_filter() { :; }
