using System.Runtime.InteropServices;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.Senders;

/// <summary>
/// What a sender writes down of itself, outside the agent's own state, so that a checker can compare it with the
/// database. Little-endian.
/// <code>
/// 8       "TMSENT02"
/// 64      gateway id, padded with zeros
/// blocks:
/// byte    kind: 1 attempted, 2 acknowledged, 3 refused
/// u32     number of the offer: 1, 2, 3 …
/// u32     count: readings offered (attempted only; 0 otherwise)
/// ...     count entries, see <see cref="JournalEntry"/>
/// u64     checksum: XxHash64 of the block before it
/// </code>
/// A block whose end is missing or whose checksum differs was being written when the sender was killed: its offer never
/// happened, and it and whatever follows count for nothing.
/// </summary>
internal static class JournalFormat
{
    public const int HeaderBytes = 8 + GatewayBytes;
    public const int GatewayBytes = 64;
    public const int BlockHeadBytes = 1 + 4 + 4;
    public const int ChecksumBytes = 8;

    /// <summary>The most readings of one offer.</summary>
    public const int CountMax = 65_536;

    public static ReadOnlySpan<byte> Magic => "TMSENT02"u8;
}

/// <summary>What a block says of an offer.</summary>
internal enum JournalKind : byte
{
    /// <summary>Written before the offer: from here on its readings may be stored.</summary>
    Attempted = 1,

    /// <summary>
    /// Written after the outbox has said that they are durable: from here on they must not be missing.
    /// </summary>
    Acknowledged = 2,

    /// <summary>Written after the outbox has refused all of them: they must not be stored.</summary>
    Refused = 3,
}

/// <summary>One reading in a journal: its series' identity, its event time, and its hash (see ReadingHash).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal readonly record struct JournalEntry(SeriesIdentity Series, long Time, ulong Hash)
{
    public const int Bytes = 32;
}

/// <summary>One block; the entries are valid until the next one is read.</summary>
internal readonly ref struct JournalBlock(JournalKind kind, uint offer, ReadOnlySpan<JournalEntry> entries)
{
    public JournalKind Kind { get; } = kind;

    public uint Offer { get; } = offer;

    public ReadOnlySpan<JournalEntry> Entries { get; } = entries;
}
