// The words of PromQL that can be completed. The server judges queries; this list only helps to write them.

const functions = `
abs(v)|absolute value
absent(v)|1 if there is no such series
absent_over_time(range)|1 if there was no such series
avg_over_time(range)|mean of the samples in the range
ceil(v)|rounds up
changes(range)|how often the value changed
clamp(v, min, max)|keeps values within bounds
clamp_max(v, max)|upper bound for values
clamp_min(v, min)|lower bound for values
count_over_time(range)|number of samples in the range
day_of_month(v)|1 to 31, in UTC
day_of_week(v)|0 to 6, from Sunday on, in UTC
day_of_year(v)|1 to 366, in UTC
days_in_month(v)|28 to 31
delta(range)|difference over the range, for gauges
deriv(range)|derivative per second, for gauges
double_exponential_smoothing(range, sf, tf)|smoothed value
exp(v)|exponential function
floor(v)|rounds down
histogram_avg(v)|mean of native histograms
histogram_count(v)|observations of native histograms
histogram_fraction(lower, upper, v)|share of observations between two bounds
histogram_quantile(φ, v)|quantile of a histogram: 0.9 is the 90th percentile
histogram_stddev(v)|standard deviation of native histograms
histogram_stdvar(v)|variance of native histograms
histogram_sum(v)|sum of the observations of native histograms
hour(v)|0 to 23, in UTC
idelta(range)|difference of the last two samples
increase(range)|growth of a counter over the range
info(v)|adds labels of info metrics
irate(range)|rate of the last two samples
label_join(v, dst, sep, src…)|joins labels into one
label_replace(v, dst, replacement, src, regex)|makes a label of another
last_over_time(range)|last sample in the range
ln(v)|natural logarithm
log10(v)|logarithm to base 10
log2(v)|logarithm to base 2
mad_over_time(range)|median absolute deviation
max_over_time(range)|largest sample in the range
min_over_time(range)|smallest sample in the range
minute(v)|0 to 59
month(v)|1 to 12, in UTC
pi()|3.14159…
predict_linear(range, seconds)|value in the future, on a straight line
present_over_time(range)|1 for each series that had samples
quantile_over_time(φ, range)|quantile of the samples in the range
rate(range)|growth of a counter per second
resets(range)|how often a counter began anew
round(v, to)|rounds
scalar(v)|the value of a single series
sgn(v)|sign: −1, 0 or 1
sort(v)|by value, ascending
sort_by_label(v, label…)|by labels, ascending
sort_by_label_desc(v, label…)|by labels, descending
sort_desc(v)|by value, descending
sqrt(v)|square root
stddev_over_time(range)|standard deviation of the samples
stdvar_over_time(range)|variance of the samples
sum_over_time(range)|sum of the samples
time()|time of the evaluation, in Unix seconds
timestamp(v)|time of the sample
vector(s)|a number as a series without labels
year(v)|in UTC`;

const aggregations = `
avg|mean of series
bottomk|the k smallest series
count|number of series
count_values|number of series with each value
group|1 for each group
limitk|k series of each group
limit_ratio|a share of the series
max|largest of series
min|smallest of series
quantile|quantile of series
stddev|standard deviation of series
stdvar|variance of series
sum|sum of series
topk|the k largest series`;

const keywords = `
by|groups by these labels
without|groups by all other labels
on|matches by these labels
ignoring|matches by all other labels
group_left|many on the left to one
group_right|one to many on the right
offset|looks back in time
bool|comparisons give 0 or 1
and|series in both
or|series in either
unless|series that are not in the other`;

function parse(text, kind) {
  return text.trim().split("\n").map((line) => {
    const [usage, about] = line.split("|");
    return { word: /^\w+/.exec(usage)[0], about: kind === "function" ? `${usage}: ${about}` : about, kind };
  });
}

export const words = [...parse(functions, "function"), ...parse(aggregations, "aggregation"), ...parse(keywords, "keyword")];

export const durations = ["30s", "1m", "5m", "10m", "30m", "1h", "6h", "1d", "7d"]
  .map((word) => ({ word, about: "", kind: "duration" }));

// grouping are the words before a list of label names.
export const grouping = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
