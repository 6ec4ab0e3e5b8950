# One image for every Continuo process; docker-compose.yml says which runs which.
FROM python:3.13-slim
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY continuo continuo
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --create-home continuo && mkdir /data && chown continuo /data
USER continuo
# Away from the sources. Mount a project here: its continuo.toml is then found.
WORKDIR /project
ENV CONTINUO_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
CMD ["continuo", "workers"]
