using Microsoft.Extensions.Logging;

namespace Telemetry.Ingress.Access;

/// <summary>
/// The current content of the gateways file: read again at most once a second, when a gateway connects, so that
/// gateways are added and removed without a restart (a removed one keeps its session until it ends). If a new version
/// cannot be read, this is reported and the previous version stays in use. May be used on any thread.
/// </summary>
public sealed class PasswordFile
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly bool _plain;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private GatewayPasswords _current;
    private (DateTime WrittenUtc, long Bytes) _seen;
    private long _lookedAt;

    /// <summary>Reads the file; throws <see cref="FormatException"/> that names the file and the line.</summary>
    public PasswordFile(string path, bool plain, TimeProvider time, ILogger logger)
    {
        (_path, _plain, _time, _logger) = (path, plain, time, logger);
        _seen = Look();
        _lookedAt = time.GetTimestamp();
        _current = Read(path, plain);
    }

    /// <summary>The gateways of the file, at most one second old.</summary>
    public GatewayPasswords Current()
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_lookedAt) >= LookEvery)
            {
                _lookedAt = _time.GetTimestamp();
                Renew();
            }

            return _current;
        }
    }

    /// <summary>Reads a gateways file; throws <see cref="FormatException"/> that names it.</summary>
    public static GatewayPasswords Read(string path, bool plain, GatewayPasswords? before = null)
    {
        try
        {
            return GatewayPasswords.Read(File.ReadLines(path), plain, before);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{path}: {e.Message}", e);
        }
    }

    private void Renew()
    {
        try
        {
            var now = Look();
            if (now == _seen)
            {
                return;
            }

            _seen = now;
            _current = Read(_path, _plain, _current);
            IngressLog.GatewaysRead(_logger, _current.Count);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            IngressLog.GatewaysUnreadable(_logger, e.Message);
        }
    }

    private (DateTime WrittenUtc, long Bytes) Look()
    {
        var file = new FileInfo(_path);
        return (file.LastWriteTimeUtc, file.Length);
    }
}
