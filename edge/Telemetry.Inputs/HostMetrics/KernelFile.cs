using Microsoft.Win32.SafeHandles;

namespace Telemetry.Inputs.HostMetrics;

/// <summary>
/// A file that the kernel makes up when it is read (/proc, /sys). Kept open and read again from its beginning into a
/// buffer of its own, so that a reading allocates nothing. A file that is absent or cannot be read is empty.
/// </summary>
internal sealed class KernelFile(string path) : IDisposable
{
    // Beyond this the rest is not read: far more than any of these files holds on a gateway.
    private const int BytesMax = 256 * 1024;

    private byte[] _bytes = new byte[4096];
    private SafeFileHandle? _file;
    private bool _absent;

    public string Path { get; } = path;

    /// <summary>The file's bytes as of now; valid until the next call.</summary>
    public ReadOnlySpan<byte> Read()
    {
        if (_absent)
        {
            return default;
        }

        try
        {
            _file ??= File.OpenHandle(Path);
            return ReadAll(_file);
        }
        catch (Exception e)
            when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            // Not on this machine: an absent series, for good.
            _absent = true;
        }
        catch (IOException)
        {
            // A sensor that is not ready: no reading this time.
            _file?.Dispose();
            _file = null;
        }

        return default;
    }

    public void Dispose() => _file?.Dispose();

    private ReadOnlySpan<byte> ReadAll(SafeFileHandle file)
    {
        var length = 0;
        while (true)
        {
            var read = RandomAccess.Read(file, _bytes.AsSpan(length), length);
            length += read;
            if (read == 0 || length == BytesMax)
            {
                return _bytes.AsSpan(0, length);
            }

            if (length == _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Min(BytesMax, length * 2));
            }
        }
    }
}
