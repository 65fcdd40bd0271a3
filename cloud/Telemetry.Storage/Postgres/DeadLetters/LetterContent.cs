using System.Buffers.Binary;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>
/// The content of a dead letter: its readings, bit for bit as they arrived, and the declarations of a frame; or the
/// reason why it cannot be read.
/// </summary>
public sealed class LetterContent
{
    /// <summary>The readings, in the order of the frame.</summary>
    public ReadingBuffer Readings { get; } = new();

    /// <summary>The declarations of the frame, if the letter stands for them too, with their series.</summary>
    public List<(SeriesEntry Series, Declaration Declaration)> Declarations { get; } = [];

    /// <summary>For a frame: its checksum.</summary>
    public ulong Checksum { get; private init; }

    /// <summary>Why its readings cannot be read; null when they can.</summary>
    public string? Unreadable { get; private init; }

    internal static async Task<LetterContent> ReadAsync(
        DeadLetterRow letter, LetterSchemas schemas, CancellationToken cancellationToken)
    {
        try
        {
            return letter.Content switch
            {
                DeadLetterContent.Value => await ReadValueAsync(letter, schemas, cancellationToken),
                DeadLetterContent.Readings => await ReadColumnsAsync(letter, schemas, cancellationToken),
                DeadLetterContent.Message or DeadLetterContent.Unregistered when letter.Readings > 0 =>
                    await ReadFrameAsync(letter, schemas, cancellationToken),
                _ => Not("it is a message that is not in the books"),
            };
        }
        catch (WireFormatException malformed)
        {
            return Not($"it cannot be decoded: {malformed.Message}");
        }
    }

    private static LetterContent Not(string why) => new() { Unreadable = why };

    private static async Task<LetterContent> ReadValueAsync(
        DeadLetterRow letter, LetterSchemas schemas, CancellationToken cancellationToken)
    {
        if (await schemas.FindAsync(letter.Series, cancellationToken) is not { } series)
        {
            return Not("its series is not in any schema of its gateway");
        }

        var content = new LetterContent();
        if ((letter.Flags & ReadingFlags.Null) != 0)
        {
            content.Readings.Add(series, letter.Time, letter.Flags, 0);
        }
        else if (series.Type == MetricType.Text)
        {
            content.Readings.AddText(series, letter.Time, letter.Flags, letter.Bytes.Span);
        }
        else
        {
            var bits = BinaryPrimitives.ReadUInt64LittleEndian(letter.Bytes.Span);
            content.Readings.Add(series, letter.Time, letter.Flags, bits);
        }

        return content;
    }

    private static async Task<LetterContent> ReadColumnsAsync(
        DeadLetterRow letter, LetterSchemas schemas, CancellationToken cancellationToken)
    {
        if (await schemas.FindAsync(letter.Schema, cancellationToken) is not { } series)
        {
            return Not($"its schema {letter.Schema} is not registered");
        }

        var batch = new ReadingBatch();
        var reader = new WireReader(letter.Bytes.Span);
        ReadingColumns.Read(ref reader, batch, letter.Readings, series.Types);
        var content = new LetterContent();
        content.AddAll(batch, series);
        return content;
    }

    private static async Task<LetterContent> ReadFrameAsync(
        DeadLetterRow letter, LetterSchemas schemas, CancellationToken cancellationToken)
    {
        var header = FrameReader.Header(letter.Bytes.Span, out var checksum);
        if (await schemas.FindAsync(header.Schema, cancellationToken) is not { } series)
        {
            return Not($"its schema {header.Schema} is not registered");
        }

        var batch = new ReadingBatch();
        var declarations = new List<Declaration>();
        FrameReader.Read(letter.Bytes.Span, series.Types, batch, declarations);
        var content = new LetterContent { Checksum = checksum };
        content.AddAll(batch, series);
        if (letter.Readings > batch.Count)
        {
            // Its declarations of drops were rejected with the frame.
            content.Declarations.AddRange(declarations.Select(d => (series.Entries[d.Series], d)));
        }

        return content;
    }

    private void AddAll(ReadingBatch batch, SeriesList series)
    {
        for (var row = 0; row < batch.Count; row++)
        {
            Readings.AddFrom(batch, row, series.Entries[batch.Series[row]]);
        }
    }
}
