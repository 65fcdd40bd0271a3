using System.Diagnostics.Metrics;

namespace Telemetry.Diagnostics.Metrics;

/// <summary>
/// Observable instruments of counts that are kept anyway. A scrape reads them; nothing is done, and nothing allocated,
/// where they are counted.
/// </summary>
public static class ObservedCounts
{
    /// <summary>A counter; <paramref name="count"/> only grows. Units are UCUM.</summary>
    public static void Counter(
        this Meter meter, string name, string unit, string description, Func<long> count) =>
        meter.CreateObservableCounter(name, count, unit, description);

    /// <summary>A counter with a series for each value of one tag.</summary>
    public static void Counter(
        this Meter meter, string name, string unit, string description, string tag,
        params (string Value, Func<long> Count)[] series)
    {
        var tagged = Array.ConvertAll(
            series, one => (Tag: new KeyValuePair<string, object?>(tag, one.Value), one.Count));
        meter.CreateObservableCounter(
            name, () => tagged.Select(one => new Measurement<long>(one.Count(), one.Tag)), unit, description);
    }

    /// <summary>A gauge: <paramref name="value"/> may fall.</summary>
    public static void Gauge(
        this Meter meter, string name, string description, Func<long> value, string? unit = null) =>
        meter.CreateObservableGauge(name, value, unit, description);
}
