using System.IO.Hashing;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// Derives ids from the things they identify, so that a replay of the same log computes the same ids (G7).
/// </summary>
internal static class AlertIds
{
    /// <summary>
    /// The id of an instance: one open interval of one rule on one series. The rule's version is not part of it,
    /// because it may change during the interval.
    /// </summary>
    public static UInt128 Instance(string rule, SeriesIdentity series, long startedMicros)
    {
        var writer = new WireWriter();
        writer.Text(rule);
        series.Write(writer.Reserve(SeriesIdentity.Bytes));
        writer.UInt64((ulong)startedMicros);
        return XxHash128.HashToUInt128(writer.Written);
    }

    /// <summary>The id of a transition of an instance.</summary>
    public static UInt128 Transition(
        string rule, ulong ruleVersion, UInt128 instance, AlertKind kind, long timeMicros, int revision)
    {
        var writer = new WireWriter();
        writer.Text(rule);
        writer.UInt64(ruleVersion);
        writer.UInt64((ulong)(instance >> 64));
        writer.UInt64((ulong)instance);
        writer.Byte((byte)kind);
        writer.UInt64((ulong)timeMicros);
        writer.Varint((ulong)revision);
        return XxHash128.HashToUInt128(writer.Written);
    }

    /// <summary>
    /// The id of a correction of an instance: a hash of its content, never of a counter, as a replay may find the same
    /// in other steps. <paramref name="again"/> tells apart what comes back to a content that was published before; 0
    /// otherwise.
    /// </summary>
    public static UInt128 Correction(string rule, ulong ruleVersion, AlertKind kind, AlertRow row, int again)
    {
        var writer = new WireWriter();
        writer.Text(rule);
        writer.UInt64(ruleVersion);
        writer.UInt64((ulong)(row.Id >> 64));
        writer.UInt64((ulong)row.Id);
        writer.Byte((byte)kind);
        writer.UInt64((ulong)row.BeganMicros);
        writer.UInt64((ulong)row.FiredMicros);
        writer.UInt64((ulong)(row.EndedMicros ?? long.MaxValue));
        writer.Varint((ulong)again);
        return XxHash128.HashToUInt128(writer.Written);
    }
}
