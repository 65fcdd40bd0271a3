using System.Buffers.Text;

namespace Telemetry.Inputs.HostMetrics;

/// <summary>Takes the kernel's text apart: lines, and words between blanks. Allocates nothing.</summary>
internal ref struct KernelText(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>The next line without its end; false when there is none.</summary>
    public bool TryLine(out KernelText line)
    {
        if (_rest.IsEmpty)
        {
            line = default;
            return false;
        }

        var end = _rest.IndexOf((byte)'\n');
        line = new KernelText(end < 0 ? _rest : _rest[..end]);
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return true;
    }

    /// <summary>The next word; empty when there is none. A colon ends a word and does not belong to it.</summary>
    public ReadOnlySpan<byte> Word()
    {
        var start = _rest.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)':');
        if (start < 0)
        {
            _rest = default;
            return default;
        }

        _rest = _rest[start..];
        var end = _rest.IndexOfAny((byte)' ', (byte)'\t', (byte)':');
        var word = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[end..];
        return word;
    }

    /// <summary>Passes over words.</summary>
    public void Skip(int words)
    {
        for (var i = 0; i < words; i++)
        {
            Word();
        }
    }

    /// <summary>The next word as a number; false when it is not one.</summary>
    public bool TryNumber(out long value)
    {
        var word = Word();
        return Utf8Parser.TryParse(word, out value, out var used) && used == word.Length;
    }

    /// <summary>The next word as a number that is never negative; false when it is not one.</summary>
    public bool TryCounter(out ulong value)
    {
        var word = Word();
        return Utf8Parser.TryParse(word, out value, out var used) && used == word.Length;
    }
}
