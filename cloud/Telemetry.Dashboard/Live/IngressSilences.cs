namespace Telemetry.Dashboard.Live;

/// <summary>Since when each ingress says nothing; one that is silent for too long is forgotten.</summary>
internal sealed class IngressSilences(TimeSpan longest, TimeProvider time)
{
    private readonly Dictionary<string, long> _heardAt = new(StringComparer.Ordinal);

    /// <summary>The ingress said something.</summary>
    public void Heard(string ingress) => _heardAt[ingress] = time.GetTimestamp();

    /// <summary>It is known from elsewhere: its silence begins now, unless it was heard.</summary>
    public void Add(string ingress) => _heardAt.TryAdd(ingress, time.GetTimestamp());

    /// <summary>True while it is not silent for too long.</summary>
    public bool Knows(string ingress) => _heardAt.ContainsKey(ingress);

    /// <summary>
    /// Takes those that are silent for too long, with their silence in microseconds. While nothing can be heard at all,
    /// every silence begins anew.
    /// </summary>
    public IReadOnlyDictionary<string, long> TakeSilent(bool hearing)
    {
        var silent = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (ingress, heardAt) in _heardAt.ToArray())
        {
            if (!hearing)
            {
                Heard(ingress);
            }
            else if (time.GetElapsedTime(heardAt) is var silence && silence > longest)
            {
                silent.Add(ingress, silence.Ticks / TimeSpan.TicksPerMicrosecond);
                _heardAt.Remove(ingress);
            }
        }

        return silent;
    }
}
