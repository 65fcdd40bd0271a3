using System.Diagnostics;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A new folder under the system's temporary folder, deleted with all that is in it, at the latest when our process
/// ends. Everybody may pass through it, because as root some servers run as a user of their own.
/// </summary>
public sealed class TemporaryFolder : IAsyncDisposable
{
    private const int DeleteAttemptsMax = 20;
    private static readonly string Prefix = $"telemetry-{Environment.ProcessId}-";
    private static readonly Lazy<Process> AtOurEnd = new(() => Reaper.Start(Path.Combine(Path.GetTempPath(), Prefix)));

    public TemporaryFolder()
    {
        _ = AtOurEnd.Value;
        FullPath = Directory.CreateTempSubdirectory(Prefix).FullName;
        File.SetUnixFileMode(FullPath, (UnixFileMode)0b111_101_101);
    }

    public string FullPath { get; }

    /// <summary>The path of something inside the folder.</summary>
    public string At(string name) => Path.Combine(FullPath, name);

    public async ValueTask DisposeAsync()
    {
        // A server that was killed a moment ago may still have a child that writes its last file.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Delete(FullPath);
                return;
            }
            catch (IOException) when (attempt < DeleteAttemptsMax)
            {
                await Task.Delay(50);
            }
        }
    }

    internal static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
