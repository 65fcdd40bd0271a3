using System.Globalization;
using System.Text;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// The lines of a body that were refused: how many, and of the first few the number, the text and the error.
/// </summary>
internal sealed class LineErrors
{
    private const int NamedMax = 5;
    private const int ExcerptBytesMax = 60;
    private const int ReasonCharactersMax = 160;

    private readonly StringBuilder _text = new();

    /// <summary>How many lines were refused.</summary>
    public int Count { get; private set; }

    /// <summary>The first ones, each with its reason.</summary>
    public string Text => _text.ToString();

    public void Clear()
    {
        Count = 0;
        _text.Clear();
    }

    public void Add(int number, ReadOnlySpan<byte> line, string reason)
    {
        if (++Count > NamedMax)
        {
            return;
        }

        var excerpt = line.Length > ExcerptBytesMax ? line[..ExcerptBytesMax] : line;
        _text.Append(Count == 1 ? "" : "; ")
            .Append(CultureInfo.InvariantCulture, $"line {number}: unable to parse '")
            .Append(Encoding.UTF8.GetString(excerpt.TrimEnd("\r\n"u8)))
            .Append(line.Length > ExcerptBytesMax ? "…': " : "': ")
            .Append(reason.AsSpan(0, Math.Min(reason.Length, ReasonCharactersMax)));
    }
}
