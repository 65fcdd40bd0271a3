using System.Runtime.CompilerServices;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// A frame from Golden/: the types of its series, its bytes in hexadecimal digits, and behind that line the text of
/// what it says. The files are never written again: what they mean is the format.
/// </summary>
internal sealed record GoldenFrame(MetricType[] Types, byte[] Bytes, string Text)
{
    public static IEnumerable<string> Names =>
        Directory.GetFiles(Folder()).Select(f => Path.GetFileNameWithoutExtension(f)).Order();

    public static GoldenFrame Read(string name)
    {
        var file = File.ReadAllText(Path.Combine(Folder(), name + ".txt"));
        var end = file.IndexOf('\n', StringComparison.Ordinal);
        var head = file[..end].Split(' ');
        return new GoldenFrame(
            [.. head[0].Select(digit => (MetricType)(digit - '0'))], Convert.FromHexString(head[1]), file[(end + 1)..]);
    }

    private static string Folder([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "Golden");
}
