using System.Security.Cryptography;

namespace Telemetry.Cloud.Configuration;

/// <summary>
/// What this run of the process is called in leases and traces unless it is told: host, process id and something
/// random. A lease goes at once to who has its owner's name, and containers may share host name and process id 1.
/// </summary>
internal static class ProcessIdentity
{
    public static readonly string OfThisProcess =
        $"{Environment.MachineName}/{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
}
