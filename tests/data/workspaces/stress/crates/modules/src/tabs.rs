//! Tabs, characters of several bytes before a region, and two statements on a line.

pub	fn	indented(value:	u32)	->	u32	{	// cov: 1
	let grün = "🦀";	if grün.len() > 4	{	return 1;	}	// cov: 1
	if value == 0	{	// cov: 1
		return 0;	// cov: 0
	}
	value + 3	// cov: 1
}	// cov: 1
