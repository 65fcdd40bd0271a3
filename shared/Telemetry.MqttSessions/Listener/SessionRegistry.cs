namespace Telemetry.MqttSessions.Listener;

/// <summary>Which connection owns a client identifier now. Any thread.</summary>
internal sealed class SessionRegistry
{
    private readonly Dictionary<string, ServerConnection> _owners = new(StringComparer.Ordinal);

    /// <summary>Makes the connection the owner and returns the one before; null when there was none.</summary>
    public ServerConnection? Replace(string clientId, ServerConnection connection)
    {
        lock (_owners)
        {
            _owners.Remove(clientId, out var previous);
            _owners.Add(clientId, connection);
            return previous;
        }
    }

    /// <summary>Forgets the connection, unless another one has taken its place.</summary>
    public void Remove(string clientId, ServerConnection connection)
    {
        lock (_owners)
        {
            if (_owners.GetValueOrDefault(clientId) == connection) _owners.Remove(clientId);
        }
    }
}
