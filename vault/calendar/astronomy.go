package calendar

import "math"

// The formulas are those of Jean Meeus, Astronomical Algorithms (2nd edition, 1998): the phases of the Moon (chapter 49), which are
// good to some seconds, and the Sun's apparent longitude (chapter 25, low accuracy: 0.01 degrees, or a quarter of an hour of
// its way). Times are Julian days; ΔT, which leads from dynamical to universal time, is the polynomial of Espenak and Meeus (2006).

const (
	epoch1970     = 2440587.5 // Julian day of 1970-01-01 00:00 UT
	epoch2000     = 2451545.0
	hanoi         = 7.0 / 24 // Decision 121-CP of 1967: the calendar of Vietnam is reckoned at UTC+7
	synodicMonth  = 29.530588861
	firstNewMoon  = 2451550.09766 // of 2000-01-06
	degree        = math.Pi / 180
	daysOfCentury = 36525
)

// deltaT is TT - UT in days about a year; between 1961 and 2150 it is good to some seconds.
func deltaT(year float64) float64 {
	var seconds float64
	switch t := year - 2000; {
	case year < 1986:
		t := year - 1975
		seconds = 45.45 + 1.067*t - t*t/260 - t*t*t/718
	case year < 2005:
		seconds = 63.86 + t*(0.3345+t*(-0.060374+t*(0.0017275+t*(0.000651814+t*0.00002373599))))
	case year < 2050:
		seconds = 62.92 + 0.32217*t + 0.005589*t*t
	default:
		u := (year - 1820) / 100
		seconds = -20 + 32*u*u - 0.5628*(2150-year)
	}
	return seconds / 86400
}

func yearOf(julian float64) float64 { return 2000 + (julian-epoch2000)/365.25 }

// term is one periodic term: its size in days, how often the eccentricity of the Earth's orbit counts, and the multiples of the Sun's
// mean anomaly, the Moon's and the Moon's argument of latitude.
type term struct {
	size                float64
	eccentric           int
	sun, moon, latitude float64
}

// newMoonTerms are of table 49.A, for the new moon.
var newMoonTerms = []term{
	{-0.40720, 0, 0, 1, 0}, {0.17241, 1, 1, 0, 0}, {0.01608, 0, 0, 2, 0}, {0.01039, 0, 0, 0, 2}, {0.00739, 1, -1, 1, 0}, {-0.00514, 1, 1, 1, 0},
	{0.00208, 2, 2, 0, 0}, {-0.00111, 0, 0, 1, -2}, {-0.00057, 0, 0, 1, 2}, {0.00056, 1, 1, 2, 0}, {-0.00042, 0, 0, 3, 0}, {0.00042, 1, 1, 0, 2},
	{0.00038, 1, 1, 0, -2}, {-0.00024, 1, -1, 2, 0}, {-0.00007, 0, 2, 1, 0}, {0.00004, 0, 0, 2, -2}, {0.00004, 0, 3, 0, 0}, {0.00003, 0, 1, 1, -2},
	{0.00003, 0, 0, 2, 2}, {-0.00003, 0, 1, 1, 2}, {0.00003, 0, -1, 1, 2}, {-0.00002, 0, -1, 1, -2}, {-0.00002, 0, 1, 3, 0}, {0.00002, 0, 0, 4, 0},
}

// planetTerms are the additional corrections of all phases: an argument at k = 0, its change for each k, and its size in millionths of a day.
var planetTerms = [][3]float64{
	{299.77, 0.107408, 325}, {251.88, 0.016321, 165}, {251.83, 26.651886, 164}, {349.42, 36.412478, 126}, {84.66, 18.206239, 110},
	{141.74, 53.303771, 62}, {207.14, 2.453732, 60}, {154.84, 7.306860, 56}, {34.52, 27.261239, 47}, {207.19, 0.121824, 42},
	{291.34, 1.844379, 40}, {161.72, 24.198154, 37}, {239.56, 25.513099, 35}, {331.55, 3.592518, 23},
}

// newMoon is the Julian day (UT) of the k-th new moon; the 0-th is of 2000-01-06.
func newMoon(number int) float64 {
	k := float64(number)
	t := k / 1236.85
	e := 1 - t*(0.002516+t*0.0000074)
	sun := 2.5534 + 29.10535670*k - t*t*(0.0000014+t*0.00000011)
	moon := 201.5643 + 385.81693528*k + t*t*(0.0107582+t*(0.00001238-t*0.000000058))
	latitude := 160.7108 + 390.67050284*k - t*t*(0.0016118+t*(0.00000227-t*0.000000011))
	node := 124.7746 - 1.56375588*k + t*t*(0.0020672+t*0.00000215)
	julian := firstNewMoon + synodicMonth*k + t*t*(0.00015437-t*(0.000000150-t*0.00000000073))
	for _, x := range newMoonTerms {
		julian += x.size * math.Pow(e, float64(x.eccentric)) * math.Sin((x.sun*sun+x.moon*moon+x.latitude*latitude)*degree)
	}
	julian -= 0.00017 * math.Sin(node*degree)
	for i, x := range planetTerms {
		argument := x[0] + x[1]*k
		if i == 0 {
			argument -= 0.009173 * t * t
		}
		julian += x[2] * 1e-6 * math.Sin(argument*degree)
	}
	return julian - deltaT(yearOf(julian))
}

// sunLongitude is the Sun's apparent longitude in degrees, from 0 up to 360, at a Julian day (UT).
func sunLongitude(julian float64) float64 {
	t := (julian + deltaT(yearOf(julian)) - epoch2000) / daysOfCentury
	anomaly := (357.52911 + t*(35999.05029-t*0.0001537)) * degree
	center := (1.914602-t*(0.004817+t*0.000014))*math.Sin(anomaly) + (0.019993-t*0.000101)*math.Sin(2*anomaly) + 0.000289*math.Sin(3*anomaly)
	longitude := 280.46646 + t*(36000.76983+t*0.0003032) + center
	longitude += -0.00569 - 0.00478*math.Sin((125.04-1934.136*t)*degree)
	return math.Mod(math.Mod(longitude, 360)+360, 360)
}
