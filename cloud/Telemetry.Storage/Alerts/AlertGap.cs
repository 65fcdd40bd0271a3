using System.Buffers.Binary;

namespace Telemetry.Storage.Alerts;

/// <summary>
/// A stretch of event time in which readings came, or may still come, after newer ones were evaluated: the rule is run
/// again from its beginning.
/// </summary>
/// <param name="FromMicros">Readings after this time must be evaluated again.</param>
/// <param name="ToMicros">
/// Evaluated again once the watermark is beyond this time: all readings up to it are then known.
/// </param>
/// <param name="Checkpoint">The state at its beginning; null when it must be found from the history.</param>
public readonly record struct AlertGap(long FromMicros, long ToMicros, AlertCheckpoint? Checkpoint);

/// <summary>The state of a rule on a series at the beginning of a gap.</summary>
/// <param name="RuleVersion">The version of the rule that had this state.</param>
/// <param name="State">The state.</param>
public readonly record struct AlertCheckpoint(ulong RuleVersion, RuleState State)
{
    /// <summary>The bytes of its form in the database.</summary>
    public const int Bytes = 73;

    /// <summary>Its form in the database.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        bytes[0] = (byte)State.Phase;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(1), RuleVersion);
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(9), State.Instance);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(25), State.StartedMicros);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(33), State.FiredMicros);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(41), State.Peak);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(49), State.TimeMicros);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(57), State.Memory.TimeMicros);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(65), State.Memory.Value);
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    public static AlertCheckpoint Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]),
        new RuleState(
            (AlertPhase)bytes[0],
            BinaryPrimitives.ReadUInt128BigEndian(bytes[9..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[25..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[33..]),
            BinaryPrimitives.ReadDoubleBigEndian(bytes[41..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[49..]))
        {
            Memory = new MeasureMemory(
                BinaryPrimitives.ReadInt64BigEndian(bytes[57..]), BinaryPrimitives.ReadDoubleBigEndian(bytes[65..])),
        });
}
