using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>Why something is kept as a dead letter.</summary>
public enum DeadLetterReason : short
{
    /// <summary>A value that the database cannot store (text with NUL, text that is not UTF-8).</summary>
    Value = 1,

    /// <summary>An event time outside the range that the database can store.</summary>
    Time = 2,

    /// <summary>A frame that cannot be decoded although its checksum is right.</summary>
    Malformed = 3,

    /// <summary>A range that is settled with other content, or that partly overlaps a settled one.</summary>
    Fork = 4,

    /// <summary>
    /// The database refused it for a reason that only the database finds; the error is the database's own.
    /// </summary>
    Database = 5,

    /// <summary>A schema beyond the limits of its gateway.</summary>
    Limit = 6,
}

/// <summary>The format of a dead letter's bytes.</summary>
public enum DeadLetterContent : short
{
    /// <summary>The value of one reading: its 8 bytes little-endian, or its text; empty for null.</summary>
    Value = 1,

    /// <summary>
    /// Readings in the columns of a frame (<see cref="ReadingColumns"/>), with series indexes of <see
    /// cref="DeadLetterRow.Schema"/>.
    /// </summary>
    Readings = 2,

    /// <summary>A frame as it arrived, or the whole message if it is not a frame.</summary>
    Message = 3,

    /// <summary>A frame as it arrived, for which the frame register has no row either.</summary>
    Unregistered = 4,
}

/// <summary>
/// What was refused, kept with its original bytes. <paramref name="Readings"/> is the number of readings that it stands
/// for in the books view: 0 if they are counted elsewhere or nowhere (a fork, whose range is settled already; a message
/// that is not a frame). Of these letters the database keeps the newest <see cref="UnbookedOfGatewayMax"/> of each
/// gateway and <see cref="UnbookedMax"/> in all; older ones are removed, so that a flood of them fills no disk.
/// </summary>
public sealed record DeadLetterRow(
    GatewayId Gateway, FrameKey Frame, DeadLetterReason Reason, string Error, int Readings,
    SeriesIdentity Series, long Time, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The most letters of one gateway that count no readings.</summary>
    public const int UnbookedOfGatewayMax = 100;

    /// <summary>The most letters of all gateways that count no readings.</summary>
    public const int UnbookedMax = 10_000;

    /// <summary>The format of the bytes.</summary>
    public DeadLetterContent Content { get; init; } = DeadLetterContent.Message;

    /// <summary>For a value: the flags of its reading.</summary>
    public ReadingFlags Flags { get; init; }

    /// <summary>For readings: the schema of their series indexes.</summary>
    public SchemaId Schema { get; init; }
}
