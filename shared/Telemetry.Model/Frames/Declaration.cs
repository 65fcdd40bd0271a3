using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>Why readings that were accepted are missing from a frame.</summary>
public enum DropReason : byte
{
    /// <summary>The outbox was at its quota and its policy drops the oldest.</summary>
    Quota = 1,

    /// <summary>The outbox was at its quota and its policy thins out series.</summary>
    Thinned = 2,

    /// <summary>
    /// The cloud refused the frame for a fault of its own, three times; the bytes are in the gateway's quarantine.
    /// </summary>
    Refused = 3,

    /// <summary>The stored bytes could not be read back (a damaged disk).</summary>
    Damaged = 4,

    /// <summary>A test removed them.</summary>
    Test = 5,
}

/// <summary>
/// Readings that a frame covers but does not contain: how many of which series, between which event times, and why.
/// </summary>
/// <param name="Series">Index in the gateway's list of series.</param>
/// <param name="Count">How many readings, at least 1.</param>
/// <param name="TimeFirst">The least event time among them, microseconds since 1970 UTC.</param>
/// <param name="TimeLast">The greatest event time among them.</param>
/// <param name="Reason">The reason.</param>
public readonly record struct Declaration(int Series, int Count, long TimeFirst, long TimeLast, DropReason Reason)
{
    internal const int BytesMin = 17;

    internal void Write(WireWriter writer)
    {
        writer.Byte((byte)Reason);
        writer.Varint((ulong)Series);
        writer.Varint((ulong)Count);
        writer.Time(TimeFirst);
        writer.Time(TimeLast);
    }

    internal static Declaration Read(ref WireReader reader, int countMax)
    {
        var reason = (DropReason)reader.Byte();
        var declaration = new Declaration(
            (int)reader.Varint((long)int.MaxValue),
            (int)reader.Varint((long)countMax),
            reader.Time(),
            reader.Time(),
            reason);
        return declaration.Count > 0 && reason is >= DropReason.Quota and <= DropReason.Test
            ? declaration
            : throw new WireFormatException(
                $"a declaration of {declaration.Count} readings, reason {(byte)reason}", reader.Offset);
    }
}
