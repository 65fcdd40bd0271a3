using System.Text.Unicode;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.LineProtocol;


/// <summary>Where decoding a body stands.</summary>
/// <param name="Offset">Of the first line that is not decoded yet.</param>
/// <param name="Number">That line's number.</param>
internal readonly record struct BodyPosition(int Offset, int Number)
{
    public static readonly BodyPosition Start = new(0, 1);
}

/// <summary>
/// Makes readings of lines: all of a line or, where it has an error, nothing of it. Warm it allocates nothing a line.
/// Belongs to one outbox's series; used on its loop.
/// </summary>
internal sealed class LineDecoder(SeriesCache series, int lineBytesMax)
{
    private readonly LineFields _fields = new();
    private long[] _seenInLine = new long[64];
    private byte[] _text = new byte[256];
    private long _lines;

    /// <summary>
    /// Decodes lines from a position on into an empty batch, until no more may be in it, so many lines were read, or
    /// the body ends; gives where it stands then and how many lines it took. Lines without a time get
    /// <paramref name="nowMicros"/>.
    /// </summary>
    public (BodyPosition Next, int Lines) Decode(
        ReadOnlySpan<byte> body, BodyPosition from, TimePrecision precision, long nowMicros, in PartLimits limits,
        ReadingBatch into, LineErrors errors)
    {
        var reader = new LineReader(body, from.Offset, from.Number, lineBytesMax, _fields);
        var next = from;
        var taken = 0;
        for (var read = 0; into.Count < limits.Readings && read < limits.Lines && reader.TryRead(out var line); read++)
        {
            var time = nowMicros;
            var error = line.Error;
            if (error is null && line.HasTime && !precision.TryMicros(line.Time, out time))
            {
                error = "a timestamp out of range";
            }

            var bytes = OfferBytes.Of(_fields.Count, _fields.TextBytes());
            error ??= limits.AllowLine(_fields.Count, bytes) ? null : TooMuch(_fields.Count, bytes, limits);
            if (error is null && into.Count > 0
                && !limits.Allow(into.Count + _fields.Count, OfferBytes.Of(into) + bytes))
            {
                // It is the next part's first.
                return (next, taken);
            }

            error ??= Resolve(body, line);
            if (error is null)
            {
                Add(body, time, into);
                taken++;
            }
            else
            {
                errors.Add(line.Number, body[line.HeadOffset..reader.Offset], error);
            }

            next = new BodyPosition(reader.Offset, reader.Number);
        }

        return (new BodyPosition(reader.Offset, reader.Number), taken);
    }

    // The line alone is more than may be stored together.
    private static string TooMuch(int readings, long bytes, in PartLimits limits) => readings > limits.LineReadings
        ? $"{readings} fields, more than the {limits.LineReadings} that can be stored together"
        : $"{bytes} bytes of readings, more than the {limits.Bytes} (half of outbox.quotaBytes) that can be stored "
            + "together";

    private string? Resolve(ReadOnlySpan<byte> body, in Line line)
    {
        _lines++;
        var head = body.Slice(line.HeadOffset, line.HeadLength);
        var number = series.Head(head);
        foreach (ref var field in _fields.All)
        {
            var key = body.Slice(field.KeyOffset, field.KeyLength);
            field.Series = series.TryFind(number, key, out var type);
            if (field.Series < 0)
            {
                field.Series = series.Resolve(head, key, field.Type, out var error);
                if (field.Series < 0)
                {
                    return error;
                }

                number = series.Head(head);
                type = series.TypeOf(field.Series);
            }

            if (type != field.Type)
            {
                return SeriesCache.Conflict(field.Type, type);
            }

            if (!IsFirstInLine(field.Series))
            {
                return "duplicate field";
            }

            if (type == MetricType.Text
                && WrongText(body.Slice((int)(field.Bits >> 32), (int)(uint)field.Bits)) is { } wrong)
            {
                return wrong;
            }
        }

        return null;
    }

    // Two readings of one series and time that one line makes could only be a mistake.
    private bool IsFirstInLine(int index)
    {
        if (index >= _seenInLine.Length)
        {
            Array.Resize(ref _seenInLine, Math.Max(index + 1, _seenInLine.Length * 2));
        }

        var first = _seenInLine[index] != _lines;
        _seenInLine[index] = _lines;
        return first;
    }

    private static string? WrongText(ReadOnlySpan<byte> text)
    {
        if (text.Length > ReadingBatch.TextBytesMax && UnescapedLength(text) > ReadingBatch.TextBytesMax)
        {
            return "a string of more than 4096 bytes";
        }

        return text.Contains((byte)0) ? "a NUL character in a string, which the database cannot store"
            : Utf8.IsValid(text) ? null
            : "a string that is not valid UTF-8";
    }

    private void Add(ReadOnlySpan<byte> body, long time, ReadingBatch into)
    {
        foreach (ref readonly var field in _fields.All)
        {
            if (field.Type != MetricType.Text)
            {
                into.Add(field.Series, time, field.Bits);
                continue;
            }

            var text = body.Slice((int)(field.Bits >> 32), (int)(uint)field.Bits);
            into.AddText(field.Series, time, field.Escaped ? Unescape(text) : text);
        }
    }

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> text)
    {
        if (_text.Length < text.Length)
        {
            _text = new byte[text.Length];
        }

        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            i += IsEscape(text, i) ? 1 : 0;
            _text[length++] = text[i];
        }

        return _text.AsSpan(0, length);
    }

    private static int UnescapedLength(ReadOnlySpan<byte> text)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            i += IsEscape(text, i) ? 1 : 0;
            length++;
        }

        return length;
    }

    private static bool IsEscape(ReadOnlySpan<byte> text, int at) =>
        text[at] == '\\' && at + 1 < text.Length && (text[at + 1] is (byte)'"' or (byte)'\\');
}
