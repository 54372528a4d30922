# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm
WORKDIR /opt/diafana
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY diafana diafana
COPY pacs pacs
COPY dicomweb dicomweb
COPY sr sr
COPY fhir_api fhir_api
COPY hl7v2 hl7v2
COPY viewer viewer
RUN pip install --no-cache-dir -c constraints.txt . \
    && useradd --create-home --uid 10001 diafana \
    && install -d -o diafana -g diafana /data
USER diafana
ENV DIAFANA_DATA=/data DIAFANA_HOST=0.0.0.0
VOLUME /data
EXPOSE 8080 11112
HEALTHCHECK --start-period=10s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz')"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["diafana"]
CMD ["serve"]
