using System.Text;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// A line's measurement and tags, read in full: the first time that they are seen. The device is the value of the
/// device tag, else of the tag <c>host</c>, else the gateway's name; the other tags are labels.
/// </summary>
internal sealed record LineHead(string Measurement, string Device, IReadOnlyList<Label> Labels)
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// Reads a line's measurement and tags. Null on an error, which <paramref name="error"/> describes.
    /// </summary>
    public static LineHead? TryRead(ReadOnlySpan<byte> head, string deviceTag, string gateway, out string error)
    {
        var at = 0;
        var measurement = Next(head, ref at, ","u8, out error);
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (measurement is { Length: > 0 } && at < head.Length)
        {
            at++;
            if (!TryReadTag(head, ref at, tags, out error))
            {
                return null;
            }
        }

        if (measurement is not { Length: > 0 })
        {
            error = measurement is null ? error : "missing measurement";
            return null;
        }

        if (tags.Remove(deviceTag, out var device) || tags.Remove("host", out device))
        {
            gateway = device;
        }

        error = tags.Count <= SeriesDefinition.LabelsMax
            ? ""
            : $"{tags.Count} tags that are labels: {SeriesDefinition.LabelsMax} are allowed";
        return error.Length == 0
            ? new LineHead(measurement, gateway, [.. tags.Select(t => new Label(t.Key, t.Value))]) : null;
    }

    /// <summary>
    /// A field's key with its escapes taken out. Null on an error, which <paramref name="error"/> describes.
    /// </summary>
    public static string? ReadFieldKey(ReadOnlySpan<byte> key, out string error) => Unescape(key, ",= "u8, out error);

    private static bool TryReadTag(
        ReadOnlySpan<byte> head, ref int at, SortedDictionary<string, string> tags, out string error)
    {
        var key = Next(head, ref at, ",="u8, out error);
        if (key is null || key.Length == 0 || at == head.Length || head[at] == ',')
        {
            error = key is null ? error : key.Length == 0 ? "missing tag key" : "missing tag value";
            return false;
        }

        at++;
        var value = Next(head, ref at, ",="u8, out error);
        if (value is null || value.Length == 0 || (at < head.Length && head[at] == '='))
        {
            error = value is null
                ? error : value.Length == 0 ? "missing tag value" : "an '=' in a tag value that is not escaped";
            return false;
        }

        error = tags.TryAdd(key, value) ? "" : $"duplicate tag '{key}'";
        return error.Length == 0;
    }

    // The text up to one of the ends that is not escaped.
    private static string? Next(ReadOnlySpan<byte> head, ref int at, ReadOnlySpan<byte> ends, out string error)
    {
        var start = at;
        while (at < head.Length && !ends.Contains(head[at]))
        {
            at += head[at] == '\\' && at + 1 < head.Length && head[at + 1] != '\\' ? 2 : 1;
        }

        return Unescape(head[start..at], ends.Contains((byte)'=') ? ",= "u8 : ", "u8, out error);
    }

    private static string? Unescape(ReadOnlySpan<byte> text, ReadOnlySpan<byte> escapable, out string error)
    {
        var plain = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            i += text[i] == '\\' && i + 1 < text.Length && escapable.Contains(text[i + 1]) ? 1 : 0;
            plain[length++] = text[i];
        }

        error = length > SeriesDefinition.TextBytesMax
            ? $"a name of {length} bytes: {SeriesDefinition.TextBytesMax} are allowed"
            : plain.AsSpan(0, length).Contains((byte)0) ? "a NUL character in a name"
            : "";
        if (error.Length > 0)
        {
            return null;
        }

        try
        {
            return StrictUtf8.GetString(plain, 0, length);
        }
        catch (DecoderFallbackException)
        {
            error = "a name that is not valid UTF-8";
            return null;
        }
    }
}
