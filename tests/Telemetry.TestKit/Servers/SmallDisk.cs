using System.Diagnostics;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A disk of a few megabytes in memory (tmpfs) that really runs full and can be made read-only. Only where the tests
/// may mount: <see cref="WhyNot"/>.
/// </summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private static readonly Lazy<string?> Tried = new(Try);
    private readonly TemporaryFolder _folder = new();

    /// <summary>Mounts one of so many bytes.</summary>
    public SmallDisk(long bytes) => Mount($"-t tmpfs -o size={bytes} tmpfs {_folder.FullPath}");

    /// <summary>Why none can be had here; null when one can.</summary>
    public static string? WhyNot => Tried.Value;

    /// <summary>The path of something on it.</summary>
    public string At(string name) => _folder.At(name);

    /// <summary>Another program takes all that is left; returns how many bytes that were.</summary>
    public long TakeAllThatIsLeft()
    {
        using var other = new FileStream(At("other-program"), FileMode.Append, FileAccess.Write, FileShare.Read, 1);
        var before = other.Position;
        try
        {
            while (true)
            {
                other.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // That is what was wanted: the disk is full to the last page.
            return other.Length - before;
        }
    }

    /// <summary>The other program deletes what it has.</summary>
    public void GiveBack() => File.Delete(At("other-program"));

    /// <summary>Makes it read-only, or writable again; nothing may be open to be written then.</summary>
    public void SetReadOnly(bool readOnly) => Mount($"-o remount,{(readOnly ? "ro" : "rw")} {_folder.FullPath}");

    public async ValueTask DisposeAsync()
    {
        Run("umount", $"-l {_folder.FullPath}");
        await _folder.DisposeAsync();
    }

    private static string? Try()
    {
        try
        {
            new SmallDisk(1024 * 1024).DisposeAsync().AsTask().GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"A small disk cannot be mounted here: {e.Message}";
        }
    }

    private static void Mount(string arguments)
    {
        if (Run("mount", arguments) is { Length: > 0 } error)
        {
            throw new InvalidOperationException($"mount {arguments}: {error}");
        }
    }

    private static string Run(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : $"code {process.ExitCode}, {error.Trim()}";
    }
}
