using System.Buffers;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// Splits a body into lines, and a line into its parts, without knowing what they mean:
/// <code>
/// line         measurement[,tag=value …] SP field=value[,field=value …] [SP timestamp] LF
/// comment      # …
/// escapes      \, \= \SP outside of quotes; \" \\ inside; any other backslash is itself
/// </code>
/// Text in quotes may hold line feeds. A bad line ends at the first line feed behind what is bad, one with a quote that
/// is never closed at the first behind the quote: the lines behind it are read as if it were not there.
/// </summary>
internal ref struct LineReader
{
    private static readonly SearchValues<byte> HeadEnds = SearchValues.Create(" \\\n"u8);
    private static readonly SearchValues<byte> KeyEnds = SearchValues.Create("=, \\\n"u8);
    private static readonly SearchValues<byte> ValueEnds = SearchValues.Create(", \n"u8);

    private readonly ReadOnlySpan<byte> _body;
    private readonly LineFields _fields;
    private readonly int _lineBytesMax;

    /// <summary>
    /// Reads from <paramref name="offset"/>, where a line begins whose number is <paramref name="number"/>.
    /// </summary>
    public LineReader(ReadOnlySpan<byte> body, int offset, int number, int lineBytesMax, LineFields fields)
    {
        _body = body;
        _fields = fields;
        _lineBytesMax = lineBytesMax;
        Offset = offset;
        Number = number;
    }

    /// <summary>Where the next line begins.</summary>
    public int Offset { get; private set; }

    /// <summary>The next line's number.</summary>
    public int Number { get; private set; }

    /// <summary>The next line that is neither blank nor a comment; false at the end.</summary>
    public bool TryRead(out Line line)
    {
        line = default;
        while (Offset < _body.Length)
        {
            var at = Offset;
            while (at < _body.Length && _body[at] is (byte)' ' or (byte)'\t' or (byte)'\r')
            {
                at++;
            }

            if (at == _body.Length || _body[at] is (byte)'\n' or (byte)'#')
            {
                EndLine(at);
                continue;
            }

            line.Number = Number;
            Read(ref line, at);
            return true;
        }

        return false;
    }

    private void Read(ref Line line, int start)
    {
        _fields.Clear();
        var at = start;
        line.Error = ReadHead(ref line, ref at) ?? ReadFields(ref at) ?? ReadTime(ref line, ref at);
        if (line.Error is not null)
        {
            SkipTexts(ref at);
        }

        EndLine(at);
        if (line.Error is null && Offset - start > _lineBytesMax)
        {
            line.Error = "longer than lineBytesMax allows";
        }
    }

    private readonly string? ReadHead(ref Line line, ref int at)
    {
        line.HeadOffset = at;
        while (true)
        {
            var end = _body[at..].IndexOfAny(HeadEnds);
            at = end < 0 ? _body.Length : at + end;
            if (at == _body.Length || _body[at] == '\n')
            {
                return "missing fields";
            }

            if (_body[at] == ' ')
            {
                line.HeadLength = at - line.HeadOffset;
                SkipSpaces(ref at);
                return null;
            }

            SkipEscape(ref at);
        }
    }

    private readonly string? ReadFields(ref int at)
    {
        while (true)
        {
            ref var field = ref _fields.Add();
            if ((ReadKey(ref field, ref at) ?? ReadValue(ref field, ref at)) is { } error)
            {
                return error;
            }

            if (at == _body.Length || _body[at] != ',')
            {
                return null;
            }

            at++;
        }
    }

    private readonly string? ReadKey(ref LineField field, ref int at)
    {
        field.KeyOffset = at;
        while (true)
        {
            var end = _body[at..].IndexOfAny(KeyEnds);
            at = end < 0 ? _body.Length : at + end;
            if (at < _body.Length && _body[at] == '\\')
            {
                SkipEscape(ref at);
                continue;
            }

            field.KeyLength = at - field.KeyOffset;
            if (at == _body.Length || _body[at] != '=')
            {
                return field.KeyLength > 0 ? "a field without '='"
                    : _fields.Count == 1 && IsRestOfLineBlank(at) ? "missing fields"
                    : "missing field key";
            }

            at++;
            return field.KeyLength == 0 ? "missing field key" : null;
        }
    }

    private readonly string? ReadValue(ref LineField field, ref int at)
    {
        if (at < _body.Length && _body[at] == '"')
        {
            return ReadText(ref field, ref at);
        }

        var end = _body[at..].IndexOfAny(ValueEnds);
        var value = end < 0 ? _body[at..] : _body.Slice(at, end);
        at += value.Length;
        if (!value.IsEmpty && value[^1] == '\r')
        {
            value = value[..^1];
        }

        field.Escaped = false;
        return FieldValue.TryRead(value, out field.Type, out field.Bits);
    }

    private readonly string? ReadText(ref LineField field, ref int at)
    {
        var start = at + 1;
        var end = start;
        field.Type = MetricType.Text;
        field.Escaped = false;
        while (true)
        {
            var window = _body.Slice(end, Math.Min(_body.Length - end, _lineBytesMax + 1));
            var found = window.IndexOfAny((byte)'"', (byte)'\\');
            if (found < 0 || end + found - at > _lineBytesMax)
            {
                return "a quote that is not closed within lineBytesMax";
            }

            end += found;
            if (_body[end] == '"')
            {
                break;
            }

            field.Escaped = true;
            end = Math.Min(end + 2, _body.Length);
        }

        field.Bits = ((ulong)(uint)start << 32) | (uint)(end - start);
        at = end + 1;
        return at == _body.Length || _body[at] is (byte)',' or (byte)' ' or (byte)'\n' or (byte)'\r'
            ? null
            : "something behind a closing quote";
    }

    private readonly string? ReadTime(ref Line line, ref int at)
    {
        SkipSpaces(ref at);
        var end = _body[at..].IndexOf((byte)'\n');
        var text = (end < 0 ? _body[at..] : _body.Slice(at, end)).TrimEnd(" \t\r"u8);
        if (text.IsEmpty)
        {
            return null;
        }

        line.HasTime = true;
        return FieldValue.TryReadInt64(text, out line.Time) ? null : "bad timestamp";
    }

    // The rest of a bad line may hold texts with line feeds: what stands in them must not be read as lines.
    private readonly void SkipTexts(ref int at)
    {
        if (at < _body.Length && _body[at] == '"')
        {
            // A quote that is never closed.
            return;
        }

        while (true)
        {
            var found = _body[at..].IndexOfAny((byte)'"', (byte)'\n');
            if (found < 0 || _body[at + found] == '\n')
            {
                return;
            }

            at += found;
            var text = default(LineField);
            if (_body[at - 1] != '=')
            {
                at++;
            }
            else if (ReadText(ref text, ref at) is not null && _body[at] == '"')
            {
                return;
            }
        }
    }

    // A backslash and what it stands before; a line feed is never escaped, and neither is another backslash.
    private readonly void SkipEscape(ref int at)
    {
        at++;
        if (at < _body.Length && _body[at] is not ((byte)'\n' or (byte)'\\'))
        {
            at++;
        }
    }

    private readonly void SkipSpaces(ref int at)
    {
        while (at < _body.Length && _body[at] == ' ')
        {
            at++;
        }
    }

    private readonly bool IsRestOfLineBlank(int from)
    {
        var end = _body[from..].IndexOf((byte)'\n');
        return (end < 0 ? _body[from..] : _body.Slice(from, end)).Trim(" \t\r"u8).IsEmpty;
    }

    // Goes on behind the first line feed at or behind `at`, and counts those before it.
    private void EndLine(int at)
    {
        var end = at < _body.Length ? _body[at..].IndexOf((byte)'\n') : -1;
        var next = end < 0 ? _body.Length : at + end + 1;
        var passed = _body[Offset..next];
        Number += passed.Count((byte)'\n');
        Offset = next;
    }
}
