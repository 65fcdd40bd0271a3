namespace Telemetry.Inputs.Http;

/// <summary>
/// Looks whether each line of a body carries its own time, by the line's end alone: a space and digits. In doubt it
/// says no.
/// </summary>
internal static class LineTimes
{
    /// <summary>False also of a body without lines.</summary>
    public static bool AreAllGiven(ReadOnlySpan<byte> body)
    {
        var lines = 0;
        foreach (var range in body.Split((byte)'\n'))
        {
            var line = body[range].Trim(" \t\r"u8);
            if (line.IsEmpty || line[0] == '#')
            {
                continue;
            }

            lines++;
            var space = line.LastIndexOf((byte)' ');
            if (space <= 0 || line[space - 1] == '\\' || !IsTime(line[(space + 1)..]))
            {
                return false;
            }
        }

        return lines > 0;
    }

    private static bool IsTime(ReadOnlySpan<byte> text)
    {
        var digits = text is [(byte)'-', ..] ? text[1..] : text;
        return !digits.IsEmpty && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
