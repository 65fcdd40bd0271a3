using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Telemetry.Simulation.Worlds;

/// <summary>What happened in a run: a hash over all of it, and its last lines for people.</summary>
internal sealed class Trace(TimeProvider time)
{
    private const int LinesMax = 400;

    private readonly long _begun = time.GetTimestamp();
    private readonly XxHash64 _hash = new();
    private readonly Queue<string> _last = new();

    /// <summary>Equal for two runs when everything happened alike.</summary>
    public ulong Hash => _hash.GetCurrentHashAsUInt64();

    /// <summary>Receives every line too; for looking at one seed.</summary>
    public Action<string>? Listener { get; set; }

    private string Seconds => time.GetElapsedTime(_begun).TotalSeconds.ToString("F6", CultureInfo.InvariantCulture);

    public IEnumerable<string> LastLines(int count) => _last.TakeLast(count);

    /// <summary>A line for whoever looks at one seed; it costs nothing otherwise and is not part of the hash.</summary>
    public void Detail(Func<string> what)
    {
        if (Listener is not null)
        {
            Listener($"{Seconds} {what()}");
        }
    }

    public void Say(string what)
    {
        var line = $"{Seconds} {what}";
        _hash.Append(MemoryMarshal.AsBytes(line.AsSpan()));
        _last.Enqueue(line);
        if (_last.Count > LinesMax)
        {
            _last.Dequeue();
        }

        Listener?.Invoke(line);
    }
}
