using System.Globalization;

namespace Telemetry.Testing.Servers;

/// <summary>
/// A new folder under the system's temporary folder, deleted with all that is in it. Everybody may pass through
/// it, because as root some servers run as a user of their own. The name carries our process id, so that folders
/// of test runs that were killed are swept by the next run.
/// </summary>
public sealed class TemporaryFolder : IAsyncDisposable
{
    private const string Prefix = "telemetry-";
    private const int DeleteAttemptsMax = 20;
    private static readonly Lazy<int> Swept = new(SweepFoldersOfDeadProcesses);

    public TemporaryFolder()
    {
        _ = Swept.Value;
        FullPath = Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-").FullName;
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

    internal static int SweepFoldersOfDeadProcesses()
    {
        var swept = 0;
        foreach (var path in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            var owner = Path.GetFileName(path)[Prefix.Length..].Split('-')[0];
            if (!int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var processId)
                || Directory.Exists($"/proc/{processId}"))
            {
                continue;
            }

            try
            {
                Delete(path);
                swept++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's, or another run sweeps it at this moment: theirs to finish.
                continue;
            }
        }

        return swept;
    }
}
