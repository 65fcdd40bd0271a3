using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Telemetry.Inputs.Http;

/// <summary>What keeps the HTTP input from listening.</summary>
internal static class HttpStartCheck
{
    public static IEnumerable<string> Problems(HttpInputOptions options) =>
        ((string?[])[PortCheck.Problem("http.port", options.Address, options.Port), Certificate(options)])
            .OfType<string>();

    private static string? Certificate(HttpInputOptions options)
    {
        if (options.CertificateFile.Length == 0)
        {
            return null;
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"http.certificateFile: {e.Message}";
        }
    }
}
