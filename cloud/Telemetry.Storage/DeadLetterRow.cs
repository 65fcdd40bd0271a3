using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>Why something is kept as a dead letter.</summary>
public enum DeadLetterReason : short
{
    /// <summary>A value that the database cannot hold (text with NUL, text that is no UTF-8).</summary>
    Value = 1,

    /// <summary>An event time outside what the database can hold.</summary>
    Time = 2,

    /// <summary>A frame that cannot be decoded though its checksum is right.</summary>
    Malformed = 3,

    /// <summary>A range that is settled with other content, or overlaps a settled one in part.</summary>
    Fork = 4,

    /// <summary>Refused by the database for a reason found only there; the error is the database's own.</summary>
    Database = 5,

    /// <summary>A schema beyond what its gateway may register.</summary>
    Limit = 6,
}

/// <summary>What the bytes of a dead letter are.</summary>
public enum DeadLetterContent : short
{
    /// <summary>The value of one reading: its 8 bytes little-endian, or its text; empty where it is null.</summary>
    Value = 1,

    /// <summary>
    /// Readings in the columns of a frame (<see cref="ReadingColumns"/>), series indexes of
    /// <see cref="DeadLetterRow.Schema"/>.
    /// </summary>
    Readings = 2,

    /// <summary>A frame as it came, or a whole message where it is none.</summary>
    Message = 3,

    /// <summary>A frame as it came, of which the frame register has no row either.</summary>
    Unregistered = 4,
}

/// <summary>
/// What was refused, kept with its original bytes. <paramref name="Readings"/> is how many readings it stands for in
/// the books: 0 for what is in no book (a fork, whose range is settled already; a message that is no frame). Of those
/// the database keeps the newest <see cref="UnbookedOfGatewayMax"/> of a gateway and <see cref="UnbookedMax"/> in all;
/// older ones go, so that a flood of them fills nothing.
/// </summary>
public sealed record DeadLetterRow(
    GatewayId Gateway, FrameKey Frame, DeadLetterReason Reason, string Error, int Readings,
    SeriesIdentity Series, long Time, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The most letters of one gateway that are in no book.</summary>
    public const int UnbookedOfGatewayMax = 100;

    /// <summary>The most letters of all gateways that are in no book.</summary>
    public const int UnbookedMax = 10_000;

    /// <summary>What the bytes are.</summary>
    public DeadLetterContent Content { get; init; } = DeadLetterContent.Message;

    /// <summary>Of a value: what its reading carries beside it.</summary>
    public ReadingFlags Flags { get; init; }

    /// <summary>Of readings: the schema that their series indexes are of.</summary>
    public SchemaId Schema { get; init; }
}
