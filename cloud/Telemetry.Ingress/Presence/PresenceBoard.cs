using System.Text;
using Telemetry.Model.Identity;
using Telemetry.Streams.Fleet;

namespace Telemetry.Ingress.Presence;

/// <summary>
/// Which gateways have a session at this ingress, and what of it is not said yet. It has one entry for each gateway
/// that is connected, or that was until a short time ago. May be used on any thread.
/// </summary>
public sealed class PresenceBoard(PresenceOptions options, TimeProvider time)
{
    private readonly Dictionary<GatewayId, Entry> _entries = [];
    private readonly Queue<GatewayId> _changed = [];
    private readonly Queue<GatewayId> _order = [];
    private readonly Lock _gate = new();
    private long _sessions;

    /// <summary>The number of entries.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>A session of the gateway began. <paramref name="version"/> is what its agent says of itself.</summary>
    public void Connected(GatewayId gateway, string version)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(gateway, out var entry))
            {
                _entries.Add(gateway, entry = new Entry());
                _order.Enqueue(gateway);
            }

            if (entry.Sessions++ == 0)
            {
                (entry.Session, entry.SinceMicros) = (++_sessions, NowMicros());
            }

            entry.Version = Shortened(version);
            Changed(gateway, entry);
        }
    }

    /// <summary>A session of the gateway ended.</summary>
    public void Disconnected(GatewayId gateway)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(gateway, out var entry) && entry.Sessions > 0 && --entry.Sessions == 0)
            {
                entry.SinceMicros = NowMicros();
                Changed(gateway, entry);
            }
        }
    }

    /// <summary>
    /// A message of the gateway came, with its clock. Only a hello says whether that is synchronised.
    /// </summary>
    public void Heard(GatewayId gateway, long agentMicros, bool? synchronised)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(gateway, out var entry))
            {
                return;
            }

            entry.Clock.Note(agentMicros, NowMicros());
            entry.Synchronised = synchronised ?? entry.Synchronised;
            if (entry.SaidOffset is not { } said || entry.Synchronised != entry.SaidSynchronised
                || Math.Abs(entry.Clock.Micros!.Value - said) > options.OffsetStep.Ticks / 10)
            {
                Changed(gateway, entry);
            }
        }
    }

    /// <summary>
    /// Takes what is to be said now, at most <paramref name="max"/>: what changed, no sooner than <see
    /// cref="PresenceOptions.GatewayEvery"/> after the last word about that gateway, and what is to be repeated. With
    /// <paramref name="all"/>, also what changed sooner.
    /// </summary>
    public IReadOnlyList<GatewayPresence> Take(int max, bool all = false)
    {
        lock (_gate)
        {
            var taken = new List<GatewayPresence>();
            for (var left = _changed.Count; left > 0 && taken.Count < max; left--)
            {
                var gateway = _changed.Dequeue();
                var entry = _entries[gateway];
                if (!all && entry.IsSaid && time.GetElapsedTime(entry.SaidAt) < options.GatewayEvery)
                {
                    _changed.Enqueue(gateway);
                    continue;
                }

                taken.Add(Say(gateway, entry));
            }

            TakeRepeated(taken, max);
            return taken;
        }
    }

    /// <summary>What was taken could not be said: it is said later.</summary>
    public void Unsaid(IEnumerable<GatewayPresence> taken)
    {
        lock (_gate)
        {
            foreach (var presence in taken)
            {
                var entry = _entries[presence.Gateway];
                entry.IsSaid = false;
                Changed(presence.Gateway, entry);
            }
        }
    }

    private void TakeRepeated(List<GatewayPresence> taken, int max)
    {
        for (var left = _order.Count; left > 0 && taken.Count < max; left--)
        {
            var gateway = _order.Dequeue();
            var entry = _entries[gateway];
            var isDue = entry is { IsSaid: true, IsChanged: false }
                && time.GetElapsedTime(entry.SaidAt) >= options.RepeatEvery;
            if (isDue && entry.Sessions == 0)
            {
                _entries.Remove(gateway);
                continue;
            }

            _order.Enqueue(gateway);
            if (isDue)
            {
                taken.Add(Say(gateway, entry));
            }
        }
    }

    private GatewayPresence Say(GatewayId gateway, Entry entry)
    {
        (entry.IsChanged, entry.IsSaid, entry.SaidAt) = (false, true, time.GetTimestamp());
        (entry.SaidOffset, entry.SaidSynchronised) = (entry.Clock.Micros, entry.Synchronised);
        return new GatewayPresence(gateway, entry.Sessions > 0, entry.SinceMicros, entry.Session)
        {
            Version = entry.Version,
            ClockOffsetMicros = entry.Clock.Micros,
            ClockSynchronised = entry.Synchronised,
        };
    }

    private void Changed(GatewayId gateway, Entry entry)
    {
        if (!entry.IsChanged)
        {
            entry.IsChanged = true;
            _changed.Enqueue(gateway);
        }
    }

    private long NowMicros() =>
        (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    // In whole characters.
    private static string Shortened(string version)
    {
        Span<byte> room = stackalloc byte[PresenceReport.VersionBytesMax];
        Encoding.UTF8.GetEncoder().Convert(version, room, flush: true, out var used, out _, out _);
        return version[..used];
    }

    private sealed class Entry
    {
        public int Sessions { get; set; }

        public long Session { get; set; }

        public long SinceMicros { get; set; }

        public string Version { get; set; } = "";

        public ClockOffset Clock { get; } = new();

        public bool Synchronised { get; set; }

        public bool IsChanged { get; set; }

        public bool IsSaid { get; set; }

        public long SaidAt { get; set; }

        public long? SaidOffset { get; set; }

        public bool SaidSynchronised { get; set; }
    }
}
