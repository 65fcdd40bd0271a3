namespace Telemetry.MqttSessions.Sessions;

/// <summary>Packet identifiers in use by us. Source: MQTT 5.0, 2.2.1.</summary>
internal sealed class PacketIdentifiers
{
    private readonly HashSet<ushort> _used = [];
    private ushort _last;

    public int Count => _used.Count;

    /// <summary>An identifier that is free: fewer than 65,535 may be in use.</summary>
    public ushort Take()
    {
        if (Count >= ushort.MaxValue) throw new InvalidOperationException("all packet identifiers are in use");
        do
        {
            if (++_last == 0) _last = 1;
        }
        while (!_used.Add(_last));
        return _last;
    }

    /// <summary>False when it was not in use.</summary>
    public bool Release(ushort id) => _used.Remove(id);
}
