using System.IO.Hashing;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Rules.Measures;

namespace Telemetry.Processing.Alerts.Rules;

/// <summary>On which side of the threshold the condition holds.</summary>
public enum AlertSide : byte
{
    Above = 0,
    Below = 1,
}

/// <summary>
/// Selects the series that a rule watches: those that match every part. A label named here must be present.
/// </summary>
public sealed record AlertMatch(
    NamePattern Gateway, NamePattern Device, NamePattern Metric,
    IReadOnlyList<KeyValuePair<string, NamePattern>> Labels)
{
    /// <summary>True when a series matches. A text series never does: a text is on no side of a threshold.</summary>
    public bool Fits(GatewayId gateway, SeriesDefinition series) => series.Type != MetricType.Text
        && Metric.Fits(series.Metric) && Device.Fits(series.Device) && Gateway.Fits(gateway.Value)
        && Labels.All(wanted => series.Labels.Any(label => label.Key == wanted.Key && wanted.Value.Fits(label.Value)));
}

/// <summary>
/// A threshold with hysteresis and <c>for</c>: the condition holds strictly beyond the threshold. An instance opens
/// when the condition has held for <see cref="For"/> of event time, from reading to reading, and closes with the first
/// reading that is at <see cref="Clear"/> or behind it.
/// </summary>
public sealed record AlertRule
{
    // Boxed, so that it is written as one reference: the workers of a process share the rule.
    private object? _version;

    /// <summary>Unique in its file.</summary>
    public required string Name { get; init; }

    public required string Severity { get; init; }

    public required AlertMatch Match { get; init; }

    public required AlertSide Side { get; init; }

    public required double Threshold { get; init; }

    /// <summary>
    /// The value at which an instance closes. Default: the threshold itself; then there is no hysteresis.
    /// </summary>
    public required double Clear { get; init; }

    public TimeSpan For { get; init; }

    /// <summary>What is compared with the threshold: the kind of rule.</summary>
    public IMeasure Measure { get; init; } = ValueMeasure.Instance;

    /// <summary>
    /// A transition is late when its reading took longer than this from its event to the log. A late transition pages
    /// nobody.
    /// </summary>
    public TimeSpan Late { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A hash of everything in the rule.</summary>
    public ulong Version => (ulong)(_version ??= Hash());

    public long ForMicros => For.Ticks / TimeSpan.TicksPerMicrosecond;

    public long LateMicros => Late.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>True when the condition holds.</summary>
    public bool Meets(double value) => Side == AlertSide.Above ? value > Threshold : value < Threshold;

    /// <summary>True when the value closes an open instance.</summary>
    public bool Clears(double value) => Side == AlertSide.Above ? value <= Clear : value >= Clear;

    /// <summary>Of two values the one that is further beyond the threshold.</summary>
    public double Worst(double a, double b) => Side == AlertSide.Above ? Math.Max(a, b) : Math.Min(a, b);

    private ulong Hash()
    {
        var writer = new WireWriter();
        writer.Text(Name);
        writer.Text(Severity);
        writer.Text(Match.Gateway.Text);
        writer.Text(Match.Device.Text);
        writer.Text(Match.Metric.Text);
        writer.Varint((ulong)Match.Labels.Count);
        foreach (var (key, value) in Match.Labels)
        {
            writer.Text(key);
            writer.Text(value.Text);
        }

        writer.Byte((byte)Side);
        writer.UInt64(BitConverter.DoubleToUInt64Bits(Threshold));
        writer.UInt64(BitConverter.DoubleToUInt64Bits(Clear));
        writer.Varint((ulong)ForMicros);
        writer.Varint((ulong)LateMicros);
        Measure.Write(writer);
        return XxHash64.HashToUInt64(writer.Written);
    }
}

/// <summary>The rules that a processor evaluates, in the order of their file.</summary>
public sealed class AlertRules(IReadOnlyList<AlertRule> all)
{
    /// <summary>No rules: nothing is evaluated.</summary>
    public static readonly AlertRules None = new([]);

    // Of rules with the same name, which no file may have, the first one counts.
    private readonly Dictionary<string, AlertRule> _names = all.DistinctBy(r => r.Name).ToDictionary(r => r.Name);

    public IReadOnlyList<AlertRule> All => all;

    public bool Has(string name) => _names.ContainsKey(name);

    public AlertRule? Find(string name) => _names.GetValueOrDefault(name);
}
