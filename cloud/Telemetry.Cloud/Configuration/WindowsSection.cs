using Telemetry.Processing.Windows;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Windows;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>processor.windows</c>, its file too.</summary>
internal static class WindowsSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1);

    public static WindowOptions Read(SettingsReader reader)
    {
        var or = new WindowOptions();
        return or with
        {
            MemoryTime = reader.Span("processor.windows.memoryTime", or.MemoryTime, Second, Hour),
            PartsMax = reader.Number("processor.windows.partsMax", or.PartsMax, 1000, 10_000_000),
        };
    }

    /// <summary>The entries of the file; null where none is configured.</summary>
    public static ConfiguredWidths? ReadFile(SettingsReader reader)
    {
        if (reader.Text("processor.windows.file") is not { } file)
        {
            return null;
        }

        var widths = WindowWidthsFile.Read(file, out var problems);
        foreach (var problem in problems)
        {
            reader.Problem("processor.windows.file", problem);
        }

        return widths;
    }
}
