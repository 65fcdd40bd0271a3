using System.IO.Hashing;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Processing.Alerts.Rules;

/// <summary>On which side of the threshold the condition holds.</summary>
public enum AlertSide : byte
{
    Above = 0,
    Below = 1,
}

/// <summary>Which series a rule watches: all that fit every part. A label that is named must be there.</summary>
public sealed record AlertMatch(
    NamePattern Gateway, NamePattern Device, NamePattern Metric,
    IReadOnlyList<KeyValuePair<string, NamePattern>> Labels)
{
    /// <summary>True when a series fits. Text never does: it lies on no side of a threshold.</summary>
    public bool Fits(GatewayId gateway, SeriesDefinition series) => series.Type != MetricType.Text
        && Metric.Fits(series.Metric) && Device.Fits(series.Device) && Gateway.Fits(gateway.Value)
        && Labels.All(wanted => series.Labels.Any(label => label.Key == wanted.Key && wanted.Value.Fits(label.Value)));
}

/// <summary>
/// A threshold with hysteresis and <c>for</c>: the condition holds strictly beyond the threshold; an instance opens
/// once it held for <see cref="For"/> of event time, from reading to reading, and closes with the first reading that is
/// back at <see cref="Clear"/> or behind it.
/// </summary>
public sealed record AlertRule
{
    // Boxed: the workers of a process share the rule, and a reference is written as a whole.
    private object? _version;

    /// <summary>Unique in its file.</summary>
    public required string Name { get; init; }

    public required string Severity { get; init; }

    public required AlertMatch Match { get; init; }

    public required AlertSide Side { get; init; }

    public required double Threshold { get; init; }

    /// <summary>The threshold itself unless given: then there is no hysteresis.</summary>
    public required double Clear { get; init; }

    public TimeSpan For { get; init; }

    /// <summary>
    /// A transition whose reading took longer than this from its event to the log is late: it pages nobody.
    /// </summary>
    public TimeSpan Late { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A hash of all that the rule says.</summary>
    public ulong Version => (ulong)(_version ??= Hash());

    public long ForMicros => For.Ticks / TimeSpan.TicksPerMicrosecond;

    public long LateMicros => Late.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>True when the condition holds.</summary>
    public bool Meets(double value) => Side == AlertSide.Above ? value > Threshold : value < Threshold;

    /// <summary>True when an open instance closes.</summary>
    public bool Clears(double value) => Side == AlertSide.Above ? value <= Clear : value >= Clear;

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
        return XxHash64.HashToUInt64(writer.Written);
    }
}

/// <summary>The rules that a processor evaluates, in the order of their file.</summary>
public sealed class AlertRules(IReadOnlyList<AlertRule> all)
{
    /// <summary>No rules: nothing is evaluated.</summary>
    public static readonly AlertRules None = new([]);

    private readonly HashSet<string> _names = [.. all.Select(r => r.Name)];

    public IReadOnlyList<AlertRule> All => all;

    public bool Has(string name) => _names.Contains(name);
}
