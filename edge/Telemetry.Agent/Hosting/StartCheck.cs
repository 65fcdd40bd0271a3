using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Agent.Configuration;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Inputs.Http;

namespace Telemetry.Agent.Hosting;

/// <summary>
/// What keeps an agent from starting, key by key, in words; changes nothing. <c>check</c> says it, and <c>run</c> ends
/// with it.
/// </summary>
internal static class StartCheck
{
    /// <summary>What can be seen at once.</summary>
    public static IEnumerable<string> Problems(AgentOptions options)
    {
        if (options.Http is { } http)
        {
            if (Listening("http.port", http.Address, http.Port) is { } taken)
            {
                yield return taken;
            }

            if (Certificate(http) is { } unreadable)
            {
                yield return unreadable;
            }
        }

        if (options.Journal.Length > 0 && FolderCheck.Problem("journal", options.Journal) is { } journal)
        {
            yield return journal;
        }
    }

    /// <summary>What opening the outbox would say; reads the whole file. Not beside an agent of this process.</summary>
    public static string? OutboxProblem(AgentOptions options) =>
        SqliteInspection.Problem(options.OutboxFile, options.Gateway, options.Outbox) is { } problem
            ? OutboxProblem(problem) : null;

    /// <summary>The sentence for a problem of the outbox.</summary>
    public static string OutboxProblem(string problem) => $"outbox.file: {problem}";

    /// <summary>Why nobody can listen there; null when somebody can. Port 0, which is none, is always free.</summary>
    public static string? Listening(string key, IPAddress address, int port)
    {
        if (port == 0)
        {
            return null;
        }

        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return null;
        }
        catch (SocketException e)
        {
            return $"{key}: {new IPEndPoint(address, port)} {Words(e)}";
        }
    }

    private static string Words(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "is in use by another program",
        SocketError.AccessDenied => "may not be used by this user",
        SocketError.AddressNotAvailable => "is no address of this machine",
        _ => $"cannot be listened on: {e.Message}",
    };

    private static string? Certificate(HttpInputOptions http)
    {
        if (http.CertificateFile.Length == 0)
        {
            return null;
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(http.CertificateFile, http.KeyFile);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"http.certificateFile: {e.Message}";
        }
    }
}
