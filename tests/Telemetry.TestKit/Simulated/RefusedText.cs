using System.Text.Unicode;
using Telemetry.Storage;

namespace Telemetry.TestKit.Simulated;

/// <summary>Finds texts that the database cannot hold.</summary>
internal static class RefusedText
{
    /// <summary>Why the first such row is refused; null when there is none.</summary>
    public static string? Find(ReadingBuffer rows)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows.IsText(i) && rows.Text(rows.Bits[i]) is var text
                && (text.Contains((byte)0) || !Utf8.IsValid(text)))
            {
                return $"row {i}: text with NUL or invalid UTF-8";
            }
        }

        return null;
    }
}
