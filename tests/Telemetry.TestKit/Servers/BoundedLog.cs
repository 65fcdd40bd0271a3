namespace Telemetry.TestKit.Servers;

/// <summary>
/// What a child process printed, in a file that never holds more than the last <see cref="CharactersMax"/>
/// characters or so. Any thread may write.
/// </summary>
internal sealed class BoundedLog : IDisposable
{
    /// <summary>At twice this size the older half is dropped.</summary>
    public const int CharactersMax = 128 * 1024;

    private readonly Lock _lock = new();
    private readonly string _path;
    private StreamWriter? _file;
    private int _characters;

    public BoundedLog(string path)
    {
        _path = path;
        _file = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    public void Write(string? line)
    {
        lock (_lock)
        {
            if (line is null || _file is null)
            {
                return;
            }

            _file.WriteLine(line);
            _characters += line.Length + 1;
            if (_characters >= 2 * CharactersMax)
            {
                DropOlderHalf();
            }
        }
    }

    /// <summary>The last characters printed, for the text of an exception.</summary>
    public string Tail(int characters = 4000)
    {
        lock (_lock)
        {
            var all = ReadAll();
            return all[Math.Max(0, all.Length - characters)..];
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private void DropOlderHalf()
    {
        var all = ReadAll();
        _file!.Dispose();
        File.WriteAllText(_path, all[^Math.Min(CharactersMax, all.Length)..]);
        _file = new StreamWriter(_path, append: true) { AutoFlush = true };
        _characters = CharactersMax;
    }

    private string ReadAll()
    {
        if (!File.Exists(_path))
        {
            return "";
        }

        using var reader = new StreamReader(new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
