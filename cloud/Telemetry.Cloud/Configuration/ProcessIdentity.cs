using System.Security.Cryptography;

namespace Telemetry.Cloud.Configuration;

/// <summary>
/// The default name of this run of the process in leases and traces: host name, process id and a random part. Two
/// processes must not have the same name, because a processor takes a lease that carries its own name at once.
/// Containers may have the same host name and process id 1; therefore the random part.
/// </summary>
internal static class ProcessIdentity
{
    public static readonly string OfThisProcess =
        $"{Environment.MachineName}/{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
}
