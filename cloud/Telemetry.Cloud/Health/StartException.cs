namespace Telemetry.Cloud.Health;

/// <summary>
/// Something outside of this program keeps a process from starting, and waiting would not help. The message says all
/// there is to say in one sentence that begins with the configuration's key.
/// </summary>
internal sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
